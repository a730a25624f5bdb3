# frozen_string_literal: true

# Ann and bob are members of room 1 and of one organization; eve is in neither, and room 2 is empty. Zoe is not active.
acme = Organization.create!(name: "Acme")
account = Account.create!(name: "Acme's account")
ann, bob, _eve, zoe = %w[ ann bob eve zoe ].map do |name|
  User.create!(name: name, avatar_url: "/avatars/#{name}.png", account: account)
end
[ ann, bob ].each { |user| user.update!(organization: acme) }
zoe.update!(active: false)
room = ChatRoom.create!(name: "Lobby")
ChatRoom.create!(name: "Empty")
[ ann, bob ].each { |user| room.members.create!(user: user) }
Notification.create!(sender: bob, recipient: ann, title: "Hello", body: "Hello, Ann", notification_type: "greeting")
