# frozen_string_literal: true

# Who is in a room, in Redis. A user with two tabs is there twice and online until both are gone.
class RoomPresence
  # A Rails that died without its clean-up leaves members behind; an idle room forgets them.
  EXPIRY = 1.hour

  def initialize(room)
    @key = "presence:room:#{room.id}"
  end

  def join(user, connection_id)
    $redis.sadd?(@key, member(user, connection_id))
    $redis.expire(@key, EXPIRY.to_i)
  end

  def leave(user, connection_id)
    $redis.srem?(@key, member(user, connection_id))
    $redis.expire(@key, EXPIRY.to_i)
  end

  def online?(user)
    user_ids.include?(user.id)
  end

  def online_users
    User.where(id: user_ids).order(:name).map(&:as_person)
  end

  private
    def user_ids
      $redis.smembers(@key).map { |member| member.split(":").first.to_i }.uniq
    end

    def member(user, connection_id)
      "#{user.id}:#{connection_id}"
    end
end
