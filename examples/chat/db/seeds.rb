# frozen_string_literal: true

# Two people to log in as (Ada, Grace), others to talk about, one who left and one from elsewhere.
password = "let-me-in"

account = Account.find_or_create_by!(name: "Analytical Engines Ltd")
club = account.organizations.find_or_create_by!(name: "Difference Club")
other = Account.find_or_create_by!(name: "Elsewhere Inc").organizations.find_or_create_by!(name: "Elsewhere")

people = {
  "Ada Lovelace" => { organization: club, admin: true },
  "Grace Hopper" => { organization: club },
  "Alan Turing" => { organization: club },
  "Katherine Johnson" => { organization: nil },
  "Charles Gone" => { organization: club, active: false },
  "Eve Elsewhere" => { organization: other }
}.to_h do |name, attributes|
  first_name = name.split.first.downcase
  user = User.find_or_create_by!(email: "#{first_name}@example.test") do |new_user|
    new_user.assign_attributes(
      name: name, password: password, account: attributes[:organization]&.account || account,
      avatar_url: ("/avatars/#{first_name}.svg" if %w[ada grace alan].include?(first_name)), **attributes
    )
  end
  [ first_name.to_sym, user ]
end

{
  "General" => [ "Everything and nothing", %i[ada grace alan katherine charles] ],
  "Compilers" => [ "From flow-matic to now", %i[ada grace] ],
  "Boardroom" => [ "Members only", %i[alan] ]
}.each do |name, (topic, names)|
  room = ChatRoom.find_or_create_by!(name: name, topic: topic)
  names.each { |member| room.members.find_or_create_by!(user: people.fetch(member)) }
end

general = ChatRoom.find_by!(name: "General")
if general.messages.none?
  [
    [ :alan, "Has anybody tried to disconnect me this morning? My machine halted for no reason." ],
    [ :grace, "Then it did halt. You should be pleased." ],
    [ :ada, "It only does what we know how to order it to perform." ]
  ].each_with_index do |(author, content), index|
    general.messages.create!(user: people.fetch(author), content: content, created_at: (30 - index * 7).minutes.ago)
  end
end

BlockedIp.find_or_create_by!(ip_address: "203.0.113.9")
